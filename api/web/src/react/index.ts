/** React's skin over the core. */
export {};
