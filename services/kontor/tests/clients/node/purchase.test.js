// A stranger buys something, over gRPC, as a guest. Nobody else may be buying the same variant meanwhile.
'use strict';

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { after, beforeEach, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { kontor, connect, errorInfo, codes } = require('./contract');

const QUANTITY = 2;
const WAIT_MS = 10_000;

const address = (variable) => process.env[variable] ?? assert.fail(`${variable} is not set`);
const catalogAddress = address('KONTOR_CATALOG_ADDR');
const orderAddress = address('KONTOR_ORDER_ADDR');

const products = connect(kontor.catalog.v1.ProductService, catalogAddress);
const inventory = connect(kontor.catalog.v1.InventoryService, catalogAddress);
const carts = connect(kontor.order.v1.CartService, orderAddress);
const orders = connect(kontor.order.v1.OrderService, orderAddress);

let variant;

beforeEach(async () => {
  const kettle = await products.GetProduct({ name: 'products/pour-over-kettle' });
  assert.equal(kettle.status, 'ACTIVE');
  [variant] = kettle.variants;
});

after(() => [products, inventory, carts, orders].forEach((client) => client.close()));

const nanosOf = (money) => BigInt(money.units) * 1_000_000_000n + BigInt(money.nanos);
const stockOf = ({ name }) => inventory.GetStock({ name: `${name}/stock` });

async function filledCart() {
  const { name } = await carts.CreateCart({ cart: { email: 'node@example.com' } });
  await carts.SetCartItem({ cart: name, variant: variant.name, quantity: QUANTITY });
  return carts.GetCart({ name });
}

function place(cart, changes = {}) {
  const request = { cart: cart.name, expected_total: cart.total, payment_token: 'tok_approve', request_id: randomUUID() };
  return orders.PlaceOrder({ ...request, ...changes });
}

// PlaceOrder waits for the end of an order for about three seconds only.
async function ended(order) {
  const giveUp = Date.now() + WAIT_MS;
  while (order.state === 'PROCESSING' && Date.now() < giveUp) {
    await sleep(100);
    order = await orders.GetOrder({ name: order.name });
  }
  return order;
}

async function refusal(call) {
  const error = await call.then(() => assert.fail('the call should have been refused'), (refused) => refused);
  const info = errorInfo(error);
  assert.equal(info.domain, 'kontor');
  return { code: error.code, ...info };
}

test('products come in pages', async () => {
  const handles = [];
  let pages = 0;
  let token = '';
  do {
    const page = await products.ListProducts({ page_size: 10, page_token: token });
    assert.ok(page.products.length >= 1 && page.products.length <= 10);
    handles.push(...page.products.map((product) => product.handle));
    pages += 1;
    token = page.next_page_token;
  } while (token);
  assert.ok(pages > 1);
  assert.equal(new Set(handles).size, handles.length);
  assert.ok(handles.includes('pour-over-kettle'));
});

test('a guest buys a kettle once', async () => {
  const before = await stockOf(variant);
  const cart = await filledCart();
  assert.deepEqual(cart.items.map((item) => [item.variant, item.quantity]), [[variant.name, QUANTITY]]);
  assert.equal(nanosOf(cart.total), BigInt(QUANTITY) * nanosOf(variant.price));

  const request_id = randomUUID();
  const order = await ended(await place(cart, { request_id }));
  assert.equal(order.state, 'COMPLETED');
  assert.deepEqual(order.total, cart.total);
  assert.deepEqual(order.payment.captured_amount, cart.total);
  const lines = order.lines.map((line) => [line.variant, line.quantity, line.total]);
  assert.deepEqual(lines, [[variant.name, QUANTITY, cart.total]]);

  const again = await place(cart, { request_id });
  assert.equal(again.name, order.name);

  const now = await stockOf(variant);
  assert.equal(BigInt(now.on_hand), BigInt(before.on_hand) - BigInt(QUANTITY));
  assert.equal(now.reserved, before.reserved);
});

test('a request_id stands for one request', async () => {
  const cart = await filledCart();
  const request_id = randomUUID();
  await ended(await place(cart, { request_id, payment_token: 'tok_decline' }));
  const refused = await refusal(place(cart, { request_id, payment_token: 'tok_approve' }));
  assert.equal(refused.code, codes.INVALID_ARGUMENT);
  assert.equal(refused.reason, 'IDEMPOTENCY_KEY_REUSED');
});

test('a total that the buyer did not see is not charged', async () => {
  const cart = await filledCart();
  const wrong = { ...cart.total, units: String(BigInt(cart.total.units) - 1n) };
  const refused = await refusal(place(cart, { expected_total: wrong }));
  assert.equal(refused.code, codes.FAILED_PRECONDITION);
  assert.equal(refused.reason, 'TOTAL_CHANGED');
  assert.equal(Number(refused.metadata.total), Number(nanosOf(cart.total)) / 1e9);
  assert.equal(refused.metadata.currency_code, cart.total.currency_code);
  assert.equal((await carts.GetCart({ name: cart.name })).order, '');
});
