/** Of all that is released together; package.json says the same, which a test holds. */
export const VERSION = '0.1.0';
