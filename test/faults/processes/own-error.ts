/** Of a 500 that is the model's own: nothing between it and the client is to blame. */
export const OWN_ERROR_HEADER = 'x-own-error';
