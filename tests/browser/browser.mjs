// A headless Chromium that tests drive from Python: one JSON object a line on stdin, {"do": …}, one
// answer a line on stdout, {"result": …} or {"error": …}. See browser.py.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const require = createRequire(pathToFileURL(`${modules}/`));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
let context, page, complaints;

const actions = {
  async open({ url, width = 1200, height = 900, dark = false, script = true, credentials }) {
    if (context) await context.close();
    complaints = [];
    context = await browser.newContext({
      viewport: { width, height }, colorScheme: dark ? "dark" : "light",
      javaScriptEnabled: script, httpCredentials: credentials, timezoneId: "UTC",
    });
    page = await context.newPage();
    page.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
    page.on("pageerror", (e) => complaints.push(String(e)));
    const requests = [];
    page.on("request", (r) => requests.push(r.url()));
    const answer = await page.goto(url, { waitUntil: "load" });
    return { status: answer.status(), requests };
  },
  text: ({ selector = "body" }) => page.innerText(selector),
  texts: ({ selector }) => page.locator(selector).allInnerTexts(),
  title: () => page.title(),
  evaluate: ({ expression }) => page.evaluate(expression),
  hover: ({ selector, x, y }) => page.hover(selector, { position: { x, y } }),
  focus: ({ selector }) => page.focus(selector),
  complaints: () => complaints,
  async screenshot({ path }) {
    await page.screenshot({ path, fullPage: true });
  },
  async axe() {
    await page.evaluate(axe); // not a script of the page: its policy stays in force
    const found = await page.evaluate(() => window.axe.run());
    return found.violations.map((v) =>
      `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...options } = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await actions[name](options)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
