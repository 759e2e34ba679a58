//! From the answer to a sign-out until the session's access token is refused.

use std::time::{Duration, Instant};

use kontor_auth::PasswordCost;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::user_service_client::UserServiceClient;
use kontor_proto::kontor::catalog::v1::ListProductsRequest;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_proto::kontor::order::v1::GetOrderRequest;
use kontor_proto::kontor::order::v1::order_service_client::OrderServiceClient;
use kontor_runtime::Error;
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_testkit::with_token;
use kontor_types::ids::OrderId;
use tonic::{Code, Request, Status};

use crate::accounts;
use crate::stack::{self, Stack};
use crate::table::Table;

/// How many people sign in and out in turn.
const PEOPLE: usize = 20;
/// The longest that a refusal is waited for.
const WAIT_MAX: Duration = Duration::from_secs(10);

pub(crate) async fn run(count: usize) -> Result<Table, Error> {
    let cheap = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
    stack::with(cheap, async |stack| sign_outs(&stack, count).await).await
}

async fn sign_outs(stack: &Stack, count: usize) -> Result<Table, Error> {
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(accounts::make(stack, number).await?);
    }
    let mut times = [const { Vec::new() }; 4];
    for email in people.iter().cycle().take(count) {
        let tokens = accounts::sign_in(&stack.auth, email).await?;
        times.iter_mut().zip(sign_out(stack, tokens).await?).for_each(|(times, time)| times.push(time));
    }
    let mut table = Table::new(&["from sign-out to refusal", "times", "p50", "p99", "longest"]);
    let places = ["at auth", "at the catalog", "at the order service", "at the catalog, through the edge"];
    places.into_iter().zip(times).for_each(|(place, times)| table.times(place, times));
    Ok(table)
}

/// How long after the answer each of them refused the token, which all have seen before.
async fn sign_out(stack: &Stack, tokens: pb::Tokens) -> Result<[Duration; 4], Error> {
    let (access, http) = (tokens.access_token.as_str(), reqwest::Client::new());
    let auth = async || is_taken(get_me(stack, access).await);
    let catalog = async || is_taken(list(stack, access).await);
    let order = async || is_taken(get_order(stack, access).await);
    let edge = async || is_ok(&http, stack, access).await;
    if !(auth().await? && catalog().await? && order().await? && edge().await?) {
        return Err("a token was refused before the sign-out".into());
    }
    let request = Request::new(pb::SignOutRequest { refresh_token: tokens.refresh_token.clone() });
    AuthenticationServiceClient::new(stack.auth.clone()).sign_out(request).await?;
    let answered = Instant::now();
    let (auth, catalog, order, edge) = tokio::try_join!(
        until_refused(answered, auth),
        until_refused(answered, catalog),
        until_refused(answered, order),
        until_refused(answered, edge)
    )?;
    Ok([auth, catalog, order, edge])
}

async fn until_refused(answered: Instant, is_taken: impl AsyncFn() -> Result<bool, Error>) -> Result<Duration, Error> {
    while is_taken().await? {
        if answered.elapsed() > WAIT_MAX {
            return Err("a token was not refused at all".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(answered.elapsed())
}

async fn get_me(stack: &Stack, token: &str) -> Result<(), Status> {
    let request = with_token(pb::GetUserRequest { name: "users/me".into() }, token);
    UserServiceClient::new(stack.auth.clone()).get_user(request).await.map(drop)
}

async fn list(stack: &Stack, token: &str) -> Result<(), Status> {
    let request = with_token(ListProductsRequest { page_size: 1, ..Default::default() }, token);
    ProductServiceClient::new(stack.catalog.clone()).list_products(request).await.map(drop)
}

/// One that does not exist: that it is looked for shows that the token was taken.
async fn get_order(stack: &Stack, token: &str) -> Result<(), Status> {
    let request = with_token(GetOrderRequest { name: OrderId::generate().to_string() }, token);
    match OrderServiceClient::new(stack.order.clone()).get_order(request).await {
        Err(status) if status.code() != Code::NotFound => Err(status),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn is_taken(answer: Result<(), Status>) -> Result<bool, Error> {
    match answer {
        Ok(()) => Ok(true),
        Err(status) if reason_of(&status) == Some(ErrorReason::TokenRevoked) => Ok(false),
        Err(status) => Err(status.into()),
    }
}

async fn is_ok(http: &reqwest::Client, stack: &Stack, token: &str) -> Result<bool, Error> {
    let url = format!("http://{}/v1/products?pageSize=1", stack.edge);
    match http.get(url).bearer_auth(token).send().await?.status().as_u16() {
        200 => Ok(true),
        401 => Ok(false),
        other => Err(format!("the edge answered {other}").into()),
    }
}
