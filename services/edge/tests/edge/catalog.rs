//! A catalog that tells what it was asked.

use std::sync::{Arc, Mutex};

use kontor_proto::kontor::catalog::v1::inventory_service_server::InventoryService;
use kontor_proto::kontor::catalog::v1::product_service_server::ProductService;
use kontor_proto::kontor::catalog::v1::variant_service_server::VariantService;
use kontor_proto::kontor::catalog::v1::{
    AdjustStockRequest, BatchGetVariantsRequest, BatchGetVariantsResponse, ConfirmReservationRequest,
    GetProductRequest, GetReservationRequest, GetStockRequest, GetVariantRequest, ImportProductsRequest,
    ImportProductsResponse, ListProductsRequest, ListProductsResponse, Product, ReleaseReservationRequest, Reservation,
    ReserveStockRequest, ReturnStockRequest, Stock, Variant,
};
use tonic::{Request, Response, Status, Streaming};

/// What became of the uploads: what arrived in each that ended, or why it did not end.
pub(crate) type Uploads = Arc<Mutex<Vec<Result<Received, String>>>>;

#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) largest_piece: usize,
    /// Currency, dry run and media type of each message.
    pub(crate) settings: Vec<(String, bool, String)>,
    pub(crate) request_ids: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct FakeCatalog {
    pub(crate) uploads: Uploads,
}

#[tonic::async_trait]
impl ProductService for FakeCatalog {
    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        let asked = request.into_inner();
        let title = format!("{}|{}", asked.page_size, asked.page_token);
        Ok(Response::new(ListProductsResponse {
            products: vec![Product { title, ..Product::default() }],
            ..ListProductsResponse::default()
        }))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        let header = |name| request.metadata().get_all(name).iter().map(|value| value.to_str().unwrap());
        let text = |name| header(name).collect::<Vec<_>>().join(" and ");
        let (vendor, from) = (text("traceparent"), text("x-forwarded-for"));
        let (title, description) = (from, text("x-forwarded-user-agent"));
        Ok(Response::new(Product { name: request.into_inner().name, vendor, title, description, ..Product::default() }))
    }

    async fn import_products(
        &self,
        request: Request<Streaming<ImportProductsRequest>>,
    ) -> Result<Response<ImportProductsResponse>, Status> {
        let received = receive(request.into_inner()).await;
        let products_created = received.as_ref().map_or(0, |received| received.settings.len() as i32);
        let failed = received.is_err();
        self.uploads.lock().unwrap().push(received);
        if failed {
            return Err(Status::cancelled("the upload broke off"));
        }
        Ok(Response::new(ImportProductsResponse { products_created, ..ImportProductsResponse::default() }))
    }
}

async fn receive(mut messages: Streaming<ImportProductsRequest>) -> Result<Received, String> {
    let mut received = Received::default();
    while let Some(message) = messages.message().await.map_err(|status| status.to_string())? {
        let file = message.file.unwrap_or_default();
        received.largest_piece = received.largest_piece.max(file.data.len());
        received.bytes.extend_from_slice(&file.data);
        received.settings.push((message.currency_code, message.validate_only, file.content_type));
        received.request_ids.push(message.request_id);
    }
    Ok(received)
}

#[tonic::async_trait]
impl VariantService for FakeCatalog {
    async fn get_variant(&self, request: Request<GetVariantRequest>) -> Result<Response<Variant>, Status> {
        Ok(Response::new(Variant { name: request.into_inner().name, ..Variant::default() }))
    }

    async fn batch_get_variants(
        &self,
        request: Request<BatchGetVariantsRequest>,
    ) -> Result<Response<BatchGetVariantsResponse>, Status> {
        let asked = request.into_inner();
        let variant = |name| Variant { name, sku: asked.parent.clone(), ..Variant::default() };
        Ok(Response::new(BatchGetVariantsResponse { variants: asked.names.into_iter().map(variant).collect() }))
    }
}

#[tonic::async_trait]
impl InventoryService for FakeCatalog {
    async fn get_stock(&self, request: Request<GetStockRequest>) -> Result<Response<Stock>, Status> {
        let name = request.into_inner().name;
        Ok(Response::new(Stock { name, on_hand: 5_000_000_000, reserved: 0, available: 5_000_000_000 }))
    }

    async fn adjust_stock(&self, request: Request<AdjustStockRequest>) -> Result<Response<Stock>, Status> {
        let asked = request.into_inner();
        let name = format!("{}|{}|{}", asked.variant, asked.reason().as_str_name(), asked.request_id);
        Ok(Response::new(Stock { name, on_hand: asked.delta, ..Stock::default() }))
    }

    async fn reserve_stock(&self, _: Request<ReserveStockRequest>) -> Result<Response<Reservation>, Status> {
        Ok(Response::new(Reservation::default()))
    }

    async fn confirm_reservation(
        &self,
        _: Request<ConfirmReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        Ok(Response::new(Reservation::default()))
    }

    async fn release_reservation(
        &self,
        _: Request<ReleaseReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        Ok(Response::new(Reservation::default()))
    }

    async fn get_reservation(&self, _: Request<GetReservationRequest>) -> Result<Response<Reservation>, Status> {
        Ok(Response::new(Reservation::default()))
    }

    async fn return_stock(&self, _: Request<ReturnStockRequest>) -> Result<Response<Reservation>, Status> {
        Ok(Response::new(Reservation::default()))
    }
}
