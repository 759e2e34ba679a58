//! Reading what was done.

use kontor_types::{PageSize, PageToken};

use super::{Auth, Error, Page};
use crate::domain::audit::Entry;
use crate::store;

/// Which events; without a word all of them.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) resource: Option<String>,
    pub(crate) actor: Option<String>,
}

/// A page of the events, newest first.
pub(crate) async fn list(
    auth: &Auth,
    filter: &Filter,
    before: Option<PageToken>,
    size: PageSize,
) -> Result<Page<Entry>, Error> {
    let (resource, actor) = (filter.resource.as_deref(), filter.actor.as_deref());
    let mut conn = auth.pool.acquire().await?;
    let events = store::audit::list(&mut conn, resource, actor, before, size.get() + 1).await?;
    Ok(Page::cut(events, size, |event| PageToken { after: event.id }))
}
