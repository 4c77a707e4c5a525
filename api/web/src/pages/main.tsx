/** Where the pages begin. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { keepPages } from "./offline";
import "./style.css";
import { readToken } from "./tokens";

readToken();
keepPages();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
