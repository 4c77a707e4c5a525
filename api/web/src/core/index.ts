/** The core: drafts that are saved as they are typed; no React and no window in it. */
export type { components, paths } from "./contract";
