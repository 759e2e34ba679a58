//! What is for sale: few articles, one of which is wanted by many and soon sold out, and one that costs nothing.

use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::{SignInRequest, sign_in_response};
use kontor_runtime::{Error, peer};
use reqwest::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::cluster::{ADMIN_EMAIL, ADMIN_PASSWORD, Cluster};
use crate::plan::Plan;

const PLENTY: i64 = 10_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Sku {
    pub(crate) variant: String,
    pub(crate) id: Uuid,
    pub(crate) sku: String,
    /// Units at the beginning.
    pub(crate) initial: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) skus: Vec<Sku>,
}

impl Shop {
    pub(crate) async fn open(plan: &Plan, cluster: &Cluster) -> Result<Self, Error> {
        // A unit for every fifth order, of which three in ten want one or more: it sells out in the middle of the run.
        // In a brief run, soon.
        let share = if plan.is_brief { 20 } else { 5 };
        let scarce = i64::try_from(plan.orders / share).unwrap_or(PLENTY).max(8);
        let articles =
            [("hot", scarce, "19.99"), ("mug", PLENTY, "12.50"), ("tee", PLENTY, "24.00"), ("leaflet", PLENTY, "0.00")];
        let token = sign_in(cluster).await?;
        let edge = cluster.addresses.edge_url();
        let (client, file) = (Client::new(), file(&articles));
        let import = client.post(format!("{edge}/v1/products:import")).header("content-type", "text/csv");
        let report: Value = import.bearer_auth(token).body(file).send().await?.error_for_status()?.json().await?;
        if report["productsCreated"] != articles.len() {
            return Err(format!("the articles were not loaded: {report}").into());
        }
        let mut skus = Vec::new();
        for (handle, initial, _) in articles {
            let product = client.get(format!("{edge}/v1/products/{handle}")).send().await?.error_for_status()?;
            skus.push(sku(&product.json().await?, initial).ok_or("a product without a variant")?);
        }
        Ok(Self { skus })
    }
}

fn file(articles: &[(&str, i64, &str)]) -> String {
    let head =
        "Handle,Title,Published,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Status\n";
    let row = |(handle, units, price): &(&str, i64, &str)| {
        format!("{handle},A {handle},TRUE,{},shopify,{units},{price},active\n", handle.to_uppercase())
    };
    head.to_owned() + &articles.iter().map(row).collect::<String>()
}

fn sku(product: &Value, initial: i64) -> Option<Sku> {
    let variant = &product["variants"][0];
    let name = variant["name"].as_str()?;
    let id = name.rsplit_once('/')?.1.parse().ok()?;
    Some(Sku { variant: name.to_owned(), id, sku: variant["sku"].as_str()?.to_owned(), initial })
}

/// An access token of the administrator. It lasts for five minutes.
pub(crate) async fn sign_in(cluster: &Cluster) -> Result<String, Error> {
    sign_in_at(&cluster.addresses.auth.to_string()).await
}

pub(crate) async fn sign_in_at(auth: &str) -> Result<String, Error> {
    let request = SignInRequest { email: ADMIN_EMAIL.into(), password: ADMIN_PASSWORD.into() };
    let answer = AuthenticationServiceClient::new(peer::channel(auth)?).sign_in(request).await?;
    match answer.into_inner().result {
        Some(sign_in_response::Result::Tokens(tokens)) => Ok(tokens.access_token),
        Some(sign_in_response::Result::Challenge(_)) | None => Err("auth asks for something else".into()),
    }
}
