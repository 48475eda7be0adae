/** Says why the story cannot go on; its message is for the reader of the terminal. */
export class StoryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoryError';
  }
}
