//! Imports that are sent again with their request id. An import is many transactions, so its id is taken before the first one: from
//! then on it is good for this import alone. The report follows after the last one; until then a repetition goes on with the work.

use kontor_postgres::idempotency::{Key, insert_or_replay, set_answer};

use crate::domain::import::ImportReport;
use crate::events::KeptReport;
use crate::ops::{Catalog, Error};

impl Catalog {
    /// Takes the id of an import; returns the report if the same import has ended before.
    pub(super) async fn begin_import(&self, key: &Key) -> Result<Option<ImportReport>, Error> {
        let mut conn = self.pool.acquire().await?;
        let kept = insert_or_replay(&mut conn, Some(key), &KeptReport(None)).await?;
        Ok(kept.and_then(|KeptReport(report)| report))
    }

    /// Keeps the report of an import, unless the same import, sent twice at once, has ended a moment ago: then that one's counts.
    pub(super) async fn end_import(&self, key: &Key, report: ImportReport) -> Result<ImportReport, Error> {
        let kept = KeptReport(Some(report.clone()));
        let is_first = {
            let mut conn = self.pool.acquire().await?;
            set_answer(&mut conn, key, &kept).await?
        };
        if is_first {
            return Ok(report);
        }
        Ok(self.begin_import(key).await?.unwrap_or(report))
    }
}
