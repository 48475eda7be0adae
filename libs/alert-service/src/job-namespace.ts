/** Namespace of job ids made from names, so that the same job is enqueued once however often it is asked for. */
export const jobNamespace = 'b3b0b3f0-52a7-4c4e-9a53-0f1c5f0b8a51';
