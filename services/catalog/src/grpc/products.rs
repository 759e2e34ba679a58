//! `kontor.catalog.v1.ProductService`.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::product_service_server::ProductService;
use kontor_runtime::request::page_token;
use kontor_runtime::{Caller, Standing};
use kontor_types::{Page, PageSize, PageToken};
use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::{import, parse, sees_all};
use crate::domain::product::Product;
use crate::ops::Catalog;
use crate::wire;

/// How many imports may run at once; each holds a whole file in memory.
const IMPORTS_MAX: usize = 2;
/// The most bytes of a page. gRPC clients refuse messages over 4 MiB unless told otherwise, and a product can have 2 MiB.
const PAGE_MAX_BYTES: usize = 2 * 1024 * 1024;

pub(super) struct Products {
    catalog: Catalog,
    imports: Semaphore,
}

impl Products {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self { catalog, imports: Semaphore::new(IMPORTS_MAX) }
    }
}

#[tonic::async_trait]
impl ProductService for Products {
    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        let request = request.into_inner();
        let (after, size) = (page_token(&request.page_token)?, PageSize::from_request(request.page_size));
        let page = self.catalog.list_products(after, size).await?;
        Ok(Response::new(fitting(&page)))
    }

    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Result<Response<pb::Product>, Status> {
        let sees_all = sees_all(&Caller::of(&request));
        let name = request.into_inner().name;
        let product = self.catalog.get_product(&parse::product(&name)?, &name, sees_all).await?;
        Ok(Response::new(wire::product(&product)))
    }

    async fn import_products(
        &self,
        request: Request<Streaming<pb::ImportProductsRequest>>,
    ) -> Result<Response<pb::ImportProductsResponse>, Status> {
        let _turn = self.imports.try_acquire().map_err(|_| import::too_many())?;
        let who = (&Caller::of(&request), &Standing::of(&request));
        import::run(&self.catalog, who, request.into_inner()).await.map(Response::new)
    }
}

/// The page, or as much of it as a message should hold: a page may be shorter than asked for (AIP-158).
fn fitting(page: &Page<Product>) -> pb::ListProductsResponse {
    let mut bytes = 0;
    let mut products: Vec<pb::Product> = Vec::with_capacity(page.items.len());
    for product in &page.items {
        let message = wire::product(product);
        bytes += message.encoded_len();
        if bytes > PAGE_MAX_BYTES && !products.is_empty() {
            break;
        }
        products.push(message);
    }
    let last = products.len().checked_sub(1).filter(|_| products.len() < page.items.len());
    let next = last.map_or(page.next, |last| Some(PageToken { after: page.items[last].id.0 }));
    pb::ListProductsResponse { products, next_page_token: next.map(PageToken::to_wire).unwrap_or_default() }
}
