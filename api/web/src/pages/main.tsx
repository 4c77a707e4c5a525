/** Where the pages begin. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./style.css";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <h1>Variorum</h1>
    </StrictMode>,
  );
}
