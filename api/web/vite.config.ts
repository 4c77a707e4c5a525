/** How the pages (`vite build`) and the served module (`vite build --mode module`) are built. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const service = "http://127.0.0.1:8000";

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  // Nothing is inlined: the pages' Content-Security-Policy takes scripts and styles from files only.
  build: mode === "module" ? servedModule : { assetsInlineLimit: 0, modulePreload: { polyfill: false }, manifest: true },
  ...(mode === "module" && { define: { "process.env.NODE_ENV": '"production"' } }),
  server: { proxy: { "/v1": service, "/openapi.json": service } },
}));

// One file with everything in it, whose exports keep their names; not `lib`, which leaves it unminified.
const servedModule = {
  emptyOutDir: false,
  copyPublicDir: false,
  modulePreload: false as const,
  rolldownOptions: {
    input: "src/elements/index.ts",
    preserveEntrySignatures: "strict" as const,
    output: { entryFileNames: "client/variorum.js", codeSplitting: false },
  },
};
