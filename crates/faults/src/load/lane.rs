//! The two ways to call: HTTP/JSON over the edge, and gRPC straight to the order service. Both speak the contract's messages.

use std::time::Duration;

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::cart_service_client::CartServiceClient;
use kontor_proto::kontor::order::v1::order_service_client::OrderServiceClient;
use kontor_runtime::{Error, contract, peer};
use kontor_testkit::with_token;
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, ReflectMessage};
use reqwest::{Client, Method};
use serde_json::Value;
use tonic::Request;
use tonic::transport::Channel;

use super::heard::{Heard, heard, http};
use crate::cluster::Cluster;

/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) struct Lanes {
    pub(super) http: Lane,
    pub(super) grpc: Lane,
}

#[derive(Clone)]
pub(super) enum Lane {
    Http(Client, String),
    Grpc(Channel),
}

impl Lanes {
    pub(super) fn to(cluster: &Cluster) -> Result<Self, Error> {
        let client = Client::builder().timeout(PATIENCE).connect_timeout(Duration::from_secs(2)).build()?;
        Ok(Self {
            http: Lane::Http(client, cluster.addresses.edge_url()),
            grpc: Lane::Grpc(peer::channel(&cluster.addresses.order.to_string())?),
        })
    }
}

impl Lane {
    pub(super) async fn create_cart(&self, request: pb::CreateCartRequest) -> Heard<pb::Cart> {
        match self {
            Self::Grpc(channel) => heard(CartServiceClient::new(channel.clone()).create_cart(timed(request)).await),
            Self::Http(..) => self.post("carts", &pb::Cart::default(), &request.request_id, None).await,
        }
    }

    pub(super) async fn set_item(&self, request: pb::SetCartItemRequest) -> Heard<pb::Cart> {
        match self {
            Self::Grpc(channel) => heard(CartServiceClient::new(channel.clone()).set_cart_item(timed(request)).await),
            Self::Http(..) => {
                let path = format!("{}:setItem", request.cart);
                self.post(&path, &pb::SetCartItemRequest { cart: String::new(), ..request }, "", None).await
            }
        }
    }

    pub(super) async fn get_cart(&self, name: String) -> Heard<pb::Cart> {
        match self {
            Self::Grpc(channel) => {
                heard(CartServiceClient::new(channel.clone()).get_cart(timed(pb::GetCartRequest { name })).await)
            }
            Self::Http(..) => self.get(&name).await,
        }
    }

    pub(super) async fn place(&self, request: pb::PlaceOrderRequest) -> Heard<pb::Order> {
        match self {
            Self::Grpc(channel) => heard(OrderServiceClient::new(channel.clone()).place_order(timed(request)).await),
            Self::Http(..) => {
                let key = request.request_id.clone();
                self.post("orders", &pb::PlaceOrderRequest { request_id: String::new(), ..request }, &key, None).await
            }
        }
    }

    pub(super) async fn get_order(&self, name: String) -> Heard<pb::Order> {
        match self {
            Self::Grpc(channel) => {
                heard(OrderServiceClient::new(channel.clone()).get_order(timed(pb::GetOrderRequest { name })).await)
            }
            Self::Http(..) => self.get(&name).await,
        }
    }

    pub(super) async fn cancel(&self, request: pb::CancelOrderRequest) -> Heard<pb::Order> {
        match self {
            Self::Grpc(channel) => heard(OrderServiceClient::new(channel.clone()).cancel_order(timed(request)).await),
            Self::Http(..) => {
                let (path, key) = (format!("{}:cancel", request.name), request.request_id.clone());
                let body = pb::CancelOrderRequest { reason: request.reason, ..Default::default() };
                self.post(&path, &body, &key, None).await
            }
        }
    }

    pub(super) async fn refund(&self, request: pb::RefundOrderRequest, token: &str) -> Heard<pb::Order> {
        match self {
            Self::Grpc(channel) => {
                let mut request = with_token(request, token);
                request.set_timeout(PATIENCE);
                heard(OrderServiceClient::new(channel.clone()).refund_order(request).await)
            }
            Self::Http(..) => {
                let (path, key) = (format!("{}:refund", request.name), request.request_id.clone());
                let body = pb::RefundOrderRequest { name: String::new(), request_id: String::new(), ..request };
                self.post(&path, &body, &key, Some(token)).await
            }
        }
    }

    async fn post<A, B>(&self, path: &str, body: &A, key: &str, token: Option<&str>) -> Heard<B>
    where
        A: Message + Name,
        B: Message + Name + Default,
    {
        let Self::Http(client, base) = self else { return Heard::Nothing("not over HTTP".into()) };
        let body = match to_json(body) {
            Ok(body) => body,
            Err(error) => return Heard::Refused(format!("{path}: {error}")),
        };
        let mut request = client.request(Method::POST, format!("{base}/v1/{path}")).json(&body);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    async fn get<B: Message + Name + Default>(&self, path: &str) -> Heard<B> {
        let Self::Http(client, base) = self else { return Heard::Nothing("not over HTTP".into()) };
        answer(client.get(format!("{base}/v1/{path}"))).await
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

async fn answer<B: Message + Name + Default>(request: reqwest::RequestBuilder) -> Heard<B> {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return Heard::Nothing(error.to_string()),
    };
    let status = answer.status().as_u16();
    let body = match answer.bytes().await {
        Ok(bytes) => serde_json::from_slice::<Value>(&bytes).unwrap_or_default(),
        Err(error) => return Heard::Nothing(error.to_string()),
    };
    match http(status, &body) {
        Heard::Done(()) => match from_json(body) {
            Ok(message) => Heard::Done(message),
            Err(error) => Heard::Refused(format!("an answer that is not in the contract: {error}")),
        },
        Heard::Refused(reason) => Heard::Refused(reason),
        Heard::Nothing(text) => Heard::Nothing(text),
        Heard::Fault(text) => Heard::Fault(text),
    }
}

fn to_json<A: Message + Name>(message: &A) -> Result<Value, Error> {
    let mut dynamic = dynamic::<A>()?;
    dynamic.merge(message.encode_to_vec().as_slice())?;
    Ok(serde_json::to_value(&dynamic)?)
}

fn from_json<B: Message + Name + Default>(json: Value) -> Result<B, Error> {
    let message = DynamicMessage::deserialize(dynamic::<B>()?.descriptor(), json)?;
    Ok(B::decode(message.encode_to_vec().as_slice())?)
}

fn dynamic<M: Name>() -> Result<DynamicMessage, Error> {
    let name = M::full_name();
    let descriptor = contract().get_message_by_name(&name).ok_or_else(|| format!("{name} is not in the contract"))?;
    Ok(DynamicMessage::new(descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json_and_back_as_the_contract_spells_them() {
        let order: pb::Order = from_json(serde_json::json!({
            "name": "orders/1", "state": "COMPLETED", "total": {"currencyCode": "USD", "units": "12"},
        }))
        .unwrap();
        assert_eq!((order.state(), order.total.as_ref().unwrap().units), (pb::order::State::Completed, 12));
        let request = pb::SetCartItemRequest { quantity: Some(2), variant: "v".into(), ..Default::default() };
        assert_eq!(to_json(&request).unwrap(), serde_json::json!({"variant": "v", "quantity": 2}));
    }
}
