// `node graphiql.mjs URL`: types a query into GraphiQL, runs it, checks the answer, opens the docs,
// and saves screenshots. Fails if the page sends a request to any other host.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const query =
  '{ orders(first: 50) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }';

const screenshots = fileURLToPath(new URL('screenshots/', import.meta.url));

const url = new URL(process.argv[2]);
await mkdir(screenshots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--disable-quic',
  ],
});
try {
  await visit('light');
  await visit('dark');
} finally {
  await browser.close();
}

/** One visit in a light or dark color scheme. */
async function visit(colorScheme) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } });
  const problems = await watch(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const shot = (name) => page.screenshot({ path: `${screenshots}${colorScheme}-${name}.png` });

  await page.goto(url.href);
  const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
  await editor.waitFor();
  await shot('1-first-look');

  await type(page, editor);
  const answer = await run(page);
  expect(answer.errors === undefined, `errors: ${JSON.stringify(answer.errors)}`);
  const orders = answer.data.orders.nodes;
  expect(orders.length === 50, `${orders.length} orders`);
  expect(orders[0].customer.email.includes('@'), 'a customer has an address');
  expect(Number.isInteger(orders[0].items[0].product.price.amount), 'a product has a price');
  await shot('2-answer');

  await page.getByRole('button', { name: /documentation explorer/i }).click();
  await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Query' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('orders', { exact: true }).first().waitFor();
  await shot('3-docs');

  const background = await page.evaluate(() => {
    const color = getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor;
    return color.match(/[\d.]+/g).slice(0, 3).map(Number);
  });
  const isDark = background.every((channel) => channel < 128);
  expect(isDark === (colorScheme === 'dark'), `${colorScheme} has the background ${background}`);
  expect(problems.length === 0, problems.join('\n'));
  await context.close();
}

/** Replaces the text of the editor by keyboard, and formats it. */
async function type(page, editor) {
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(query);
  await page.getByRole('button', { name: /prettify/i }).click();
  await editor.locator('.view-line', { hasText: /^\s*currency$/ }).waitFor();
}

/** Runs the query in the editor, and returns the response once the page shows it. */
async function run(page) {
  const answered = page.waitForResponse(
    (response) => response.request().postDataJSON()?.query?.includes('orders(first: 50)') ?? false,
  );
  await page.getByRole('button', { name: /execute/i }).click();
  const answer = await (await answered).json();
  const first = answer.data?.orders?.nodes?.[0]?.id ?? 'errors';
  await page.locator('.result-window .view-line', { hasText: first }).first().waitFor();
  return answer;
}

/** Blocks every other host, and collects problems. */
async function watch(context) {
  const problems = [];
  await context.route(
    (address) => address.host !== url.host && address.protocol.startsWith('http'),
    (route) => {
      problems.push(`requested ${route.request().url()}`);
      return route.abort();
    },
  );
  context.on('page', (page) => {
    page.on('pageerror', (error) => problems.push(`threw ${error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`logged ${message.text()}`);
    });
    page.on('websocket', (socket) => problems.push(`opened ${socket.url()}`));
  });
  return problems;
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}
