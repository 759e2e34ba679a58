"""A stranger buys something, over gRPC, as a guest. Nobody else may be buying the same variant meanwhile."""

import time
import uuid
from decimal import Decimal

import grpc
import pytest
from google.rpc import error_details_pb2
from google.type import money_pb2
from grpc_status import rpc_status
from kontor.catalog.v1 import inventory_service_pb2, inventory_service_pb2_grpc, product_service_pb2, product_service_pb2_grpc
from kontor.order.v1 import cart_service_pb2, cart_service_pb2_grpc, order_service_pb2, order_service_pb2_grpc

QUANTITY = 2
DEADLINE_S = 10
Order = order_service_pb2.Order


@pytest.fixture
def products(catalog):
    return product_service_pb2_grpc.ProductServiceStub(catalog)


@pytest.fixture
def inventory(catalog):
    return inventory_service_pb2_grpc.InventoryServiceStub(catalog)


@pytest.fixture
def carts(order):
    return cart_service_pb2_grpc.CartServiceStub(order)


@pytest.fixture
def orders(order):
    return order_service_pb2_grpc.OrderServiceStub(order)


@pytest.fixture
def variant(products):
    kettle = products.GetProduct(product_service_pb2.GetProductRequest(name="products/pour-over-kettle"), timeout=DEADLINE_S)
    assert kettle.status == product_service_pb2.Product.ACTIVE
    return kettle.variants[0]


def decimal(money: money_pb2.Money) -> Decimal:
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


def stock_of(inventory, variant):
    return inventory.GetStock(inventory_service_pb2.GetStockRequest(name=f"{variant.name}/stock"), timeout=DEADLINE_S)


def filled_cart(carts, variant):
    request = cart_service_pb2.CreateCartRequest(cart=cart_service_pb2.Cart(email="python@example.com"))
    cart = carts.CreateCart(request, timeout=DEADLINE_S)
    item = cart_service_pb2.SetCartItemRequest(cart=cart.name, variant=variant.name, quantity=QUANTITY)
    carts.SetCartItem(item, timeout=DEADLINE_S)
    return carts.GetCart(cart_service_pb2.GetCartRequest(name=cart.name), timeout=DEADLINE_S)


def place(orders, cart, **changes):
    fields = dict(cart=cart.name, expected_total=cart.total, payment_token="tok_approve", request_id=str(uuid.uuid4()))
    return orders.PlaceOrder(order_service_pb2.PlaceOrderRequest(**fields | changes), timeout=DEADLINE_S)


def ended(orders, order):
    """The order at its end; PlaceOrder waits for it for about three seconds only."""
    give_up = time.monotonic() + DEADLINE_S
    while order.state == Order.PROCESSING and time.monotonic() < give_up:
        time.sleep(0.1)
        order = orders.GetOrder(order_service_pb2.GetOrderRequest(name=order.name), timeout=DEADLINE_S)
    return order


def refusal(error: grpc.RpcError):
    """The code, and the google.rpc.ErrorInfo that every error carries."""
    details = rpc_status.from_call(error).details
    info = error_details_pb2.ErrorInfo()
    [packed] = [detail for detail in details if detail.Is(info.DESCRIPTOR)]
    packed.Unpack(info)
    assert info.domain == "kontor"
    return error.code(), info


def test_products_come_in_pages(products):
    seen, pages, token = [], 0, ""
    while pages == 0 or token:
        request = product_service_pb2.ListProductsRequest(page_size=10, page_token=token)
        page = products.ListProducts(request, timeout=DEADLINE_S)
        assert 1 <= len(page.products) <= 10
        seen += [product.handle for product in page.products]
        pages, token = pages + 1, page.next_page_token
    assert pages > 1
    assert len(seen) == len(set(seen))
    assert "pour-over-kettle" in seen


def test_a_guest_buys_a_kettle_once(inventory, carts, orders, variant):
    before = stock_of(inventory, variant)
    cart = filled_cart(carts, variant)
    assert [(item.variant, item.quantity) for item in cart.items] == [(variant.name, QUANTITY)]
    assert decimal(cart.total) == QUANTITY * decimal(variant.price)

    request_id = str(uuid.uuid4())
    order = ended(orders, place(orders, cart, request_id=request_id))
    assert order.state == Order.COMPLETED
    assert order.total == cart.total
    assert order.payment.captured_amount == cart.total
    assert [(line.variant, line.quantity, line.total) for line in order.lines] == [(variant.name, QUANTITY, cart.total)]

    again = place(orders, cart, request_id=request_id)
    assert again.name == order.name

    after = stock_of(inventory, variant)
    assert after.on_hand == before.on_hand - QUANTITY
    assert after.reserved == before.reserved


def test_a_request_id_stands_for_one_request(carts, orders, variant):
    cart, request_id = filled_cart(carts, variant), str(uuid.uuid4())
    ended(orders, place(orders, cart, request_id=request_id, payment_token="tok_decline"))
    with pytest.raises(grpc.RpcError) as refused:
        place(orders, cart, request_id=request_id, payment_token="tok_approve")
    code, info = refusal(refused.value)
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED")


def test_a_total_that_the_buyer_did_not_see_is_not_charged(carts, orders, variant):
    cart = filled_cart(carts, variant)
    wrong = money_pb2.Money()
    wrong.CopyFrom(cart.total)
    wrong.units -= 1
    with pytest.raises(grpc.RpcError) as refused:
        place(orders, cart, expected_total=wrong)
    code, info = refusal(refused.value)
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TOTAL_CHANGED")
    assert Decimal(info.metadata["total"]) == decimal(cart.total)
    assert info.metadata["currency_code"] == cart.total.currency_code
    assert carts.GetCart(cart_service_pb2.GetCartRequest(name=cart.name), timeout=DEADLINE_S).order == ""
