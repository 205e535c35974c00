import "../generated/sheet.css";
import "../../gateway/compare/presentation/report.css";
import "./styles/frame.css";
import "./styles/controls.css";
import "./styles/circuit.css";
import "./styles/run.css";
import "./styles/simulators.css";
import "./styles/result.css";
import "./styles/comparisons.css";
import { render } from "preact";
import { App } from "./app";
import { showKept } from "./theme";

showKept();
const root = document.getElementById("app");
if (root) {
  render(<App />, root);
}
