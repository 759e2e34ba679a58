//! The sample catalog, which goes in on the first start.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_runtime::{Error, peer};

use crate::cli::Up;
use crate::client::{self, Settings};
use crate::say;
use crate::secrets::Secrets;

/// A made-up shop: 64 products in 254 variants.
const CATALOG: &[u8] = include_bytes!("../../sample/catalog.csv");

/// Loads it, if the catalog is empty.
pub(super) async fn load(up: &Up, secrets: &Secrets) -> Result<(), Error> {
    let catalog = peer::channel(&up.catalog_addr.to_string())?;
    let request = pb::ListProductsRequest { page_size: 1, page_token: String::new() };
    let page = ProductServiceClient::new(catalog.clone()).list_products(request).await?;
    if !page.get_ref().products.is_empty() {
        return Ok(());
    }
    say("loading the sample catalog");
    let auth = peer::channel(&up.auth_addr.to_string())?;
    let token = client::sign_in(auth, &up.admin_email, &secrets.admin_password).await?;
    let settings = Settings { currency: "USD".into(), dry_run: false };
    let report = client::send(catalog, &token, CATALOG.to_vec(), &settings).await?;
    say(format_args!("  {} products in {} variants", report.products_created, report.variants_created));
    Ok(())
}
