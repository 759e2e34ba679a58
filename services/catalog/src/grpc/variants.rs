//! `kontor.catalog.v1.VariantService`.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::variant_service_server::VariantService;
use kontor_runtime::{Caller, Fault};
use tonic::{Request, Response, Status};

use super::{parse, sees_all};
use crate::domain::reference::VariantRef;
use crate::ops::Catalog;
use crate::wire;

pub(super) struct Variants(pub(super) Catalog);

#[tonic::async_trait]
impl VariantService for Variants {
    async fn get_variant(&self, request: Request<pb::GetVariantRequest>) -> Result<Response<pb::Variant>, Status> {
        let sees_all = sees_all(&Caller::of(&request));
        let name = request.into_inner().name;
        let wanted = [(parse::variant(&name)?, name.clone())];
        let found = self.0.get_variants(&wanted, sees_all).await?;
        let variant = found.first().ok_or_else(|| Fault::not_found(&name))?;
        Ok(Response::new(wire::variant(variant)))
    }

    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Result<Response<pb::BatchGetVariantsResponse>, Status> {
        let sees_all = sees_all(&Caller::of(&request));
        let request = request.into_inner();
        let names = request.names.into_iter().enumerate();
        let wanted = names.map(|(index, name)| wanted(&request.parent, index, name)).collect::<Result<Vec<_>, _>>()?;
        let variants = self.0.get_variants(&wanted, sees_all).await?;
        Ok(Response::new(pb::BatchGetVariantsResponse { variants: variants.iter().map(wire::variant).collect() }))
    }
}

/// A name of the batch: it must lie below the parent, unless that is "products/-" (AIP-231, AIP-159).
fn wanted(parent: &str, index: usize, name: String) -> Result<(VariantRef, String), Status> {
    let below = parent == "products/-" || name.strip_prefix(parent).is_some_and(|rest| rest.starts_with("/variants/"));
    if !below {
        return Err(Fault::field(&format!("names[{index}]"), format!("does not lie below {parent}")).into());
    }
    Ok((parse::variant(&name)?, name))
}
