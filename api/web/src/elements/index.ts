/** The module that the service serves at `/client/variorum.js`: the core, and custom elements. */
export * from "../core";
