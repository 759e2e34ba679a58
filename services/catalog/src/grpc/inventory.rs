//! `kontor.catalog.v1.InventoryService`.

use std::collections::HashSet;

use kontor_postgres::idempotency::Key;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::inventory_service_server::InventoryService;
use kontor_runtime::request::key;
use kontor_runtime::{Caller, Fault};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{parse, sees_all};
use crate::domain::inventory::{Line, MovementReason};
use crate::ops::{AdjustStock, Catalog, ReturnStock};
use crate::wire;

pub(super) struct Inventory(pub(super) Catalog);

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn get_stock(&self, request: Request<pb::GetStockRequest>) -> Result<Response<pb::Stock>, Status> {
        let sees_all = sees_all(&Caller::of(&request));
        let name = request.into_inner().name;
        let variant = name.strip_suffix("/stock").unwrap_or(&name);
        let stock = self.0.get_stock(&parse::variant(variant)?, &name, sees_all).await?;
        Ok(Response::new(wire::stock(&stock)))
    }

    async fn adjust_stock(&self, request: Request<pb::AdjustStockRequest>) -> Result<Response<pb::Stock>, Status> {
        let caller = Caller::of(&request);
        let stock = self.0.adjust_stock(&adjustment(&caller, request.into_inner())?).await?;
        Ok(Response::new(wire::stock(&stock)))
    }

    async fn reserve_stock(
        &self,
        request: Request<pb::ReserveStockRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let request = request.into_inner();
        let reservation = self.0.reserve(parse::order(&request.order)?, &lines(&request.lines)?).await?;
        Ok(Response::new(wire::reservation(&reservation)))
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let order = parse::order(&request.into_inner().order)?;
        Ok(Response::new(wire::reservation(&self.0.confirm(order).await?)))
    }

    async fn release_reservation(
        &self,
        request: Request<pb::ReleaseReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let order = parse::order(&request.into_inner().order)?;
        Ok(Response::new(wire::reservation(&self.0.release(order).await?)))
    }

    async fn get_reservation(
        &self,
        request: Request<pb::GetReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let order = parse::order(&request.into_inner().order)?;
        Ok(Response::new(wire::reservation(&self.0.get_reservation(order).await?)))
    }

    async fn return_stock(
        &self,
        request: Request<pb::ReturnStockRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let reservation = self.0.return_stock(&restock(request.into_inner())?).await?;
        Ok(Response::new(wire::reservation(&reservation)))
    }
}

/// A refund is its own request id, whoever sends it.
fn restock(request: pb::ReturnStockRequest) -> Result<ReturnStock, Status> {
    let (order, id) = parse::refund(&request.refund)?;
    let key = Key::new("refunds".into(), id, "ReturnStock", &request.encode_to_vec());
    Ok(ReturnStock { order, lines: lines(&request.lines)?, refund: request.refund, key })
}

fn adjustment(caller: &Caller, mut request: pb::AdjustStockRequest) -> Result<AdjustStock, Status> {
    let key = key(caller, "AdjustStock", &mut request, |request| &mut request.request_id);
    let reason = reason(request.reason())?;
    Ok(AdjustStock {
        variant: parse::variant(&request.variant)?,
        name: request.variant,
        delta: request.delta,
        reason,
        key,
    })
}

fn reason(reason: pb::adjust_stock_request::Reason) -> Result<MovementReason, Status> {
    use pb::adjust_stock_request::Reason;
    match reason {
        Reason::Received => Ok(MovementReason::Received),
        Reason::Damaged => Ok(MovementReason::Damaged),
        Reason::Counted => Ok(MovementReason::Counted),
        Reason::Returned => Ok(MovementReason::Returned),
        Reason::Unspecified => Err(Fault::field("reason", "is required").into()),
    }
}

fn lines(lines: &[pb::ReservationLine]) -> Result<Vec<Line>, Status> {
    let mut seen = HashSet::new();
    let parse_line = |(index, line): (usize, &pb::ReservationLine)| {
        let path = format!("lines[{index}].variant");
        let variant = parse::canonical_variant(&path, &line.variant)?;
        if !seen.insert(variant) {
            return Err(Fault::field(&path, "is there twice; add the quantities up").into());
        }
        Ok(Line { variant, quantity: line.quantity })
    };
    lines.iter().enumerate().map(parse_line).collect()
}
