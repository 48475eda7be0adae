/** The value, which a test takes for granted. @throws Error when it is not there */
export const present = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('What the test takes for granted is not there.');
  return value;
};
