//! The sample catalog, which goes in on the first start.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_runtime::{Error, peer};
use secrecy::SecretString;

use crate::client::{self, Settings};
use crate::say;

/// A made-up shop: 64 products in 254 variants.
const CATALOG: &[u8] = include_bytes!("../../sample/catalog.csv");

/// Loads it as this administrator, if the catalog is empty.
pub(crate) async fn load(auth: &str, catalog: &str, email: &str, password: &SecretString) -> Result<(), Error> {
    let catalog = peer::channel(catalog)?;
    let request = pb::ListProductsRequest { page_size: 1, page_token: String::new() };
    let page = ProductServiceClient::new(catalog.clone()).list_products(request).await?;
    if !page.get_ref().products.is_empty() {
        return Ok(());
    }
    say("loading the sample catalog");
    let token = client::sign_in(peer::channel(auth)?, email, password).await?;
    let settings = Settings { currency: "USD".into(), dry_run: false };
    let report = client::send(catalog, &token, CATALOG.to_vec(), &settings).await?;
    say(format_args!("  {} products in {} variants", report.products_created, report.variants_created));
    Ok(())
}
