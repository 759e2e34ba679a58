//! Reading audit events.

use kontor_types::{Page, PageSize, PageToken};

use super::{Auth, Error};
use crate::domain::audit::Entry;
use crate::store;

/// Which events to list; an absent filter matches all of them.
pub(crate) struct Filter<'a> {
    pub(crate) resource: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
}

impl Auth {
    /// A page of the events, newest first.
    pub async fn list_audit_events(
        &self,
        Filter { resource, actor }: Filter<'_>,
        before: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Entry>, Error> {
        let mut conn = self.pool.acquire().await?;
        let events = store::audit::list(&mut conn, resource, actor, before, size.get() + 1).await?;
        Ok(Page::cut(events, size, |event| PageToken { after: event.id }))
    }
}
