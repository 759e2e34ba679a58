//! Imports that are sent again with their request id. An import is many transactions, so its id is taken before the first one: from
//! then on it is good for this import alone. The report follows after the last one; until then a repetition goes on with the work.

use kontor_postgres::idempotency::{self, Key, Seen};

use crate::domain::import::ImportReport;
use crate::events;
use crate::ops::{Catalog, Error};

/// Stands for the report of an import that has not ended. A report without any product is kept as this too: then there is no work
/// that could be done twice.
const NO_REPORT: &[u8] = &[];

impl Catalog {
    /// Takes the id of an import; tells the report if the same import has ended before.
    pub(super) async fn begin_import(&self, key: &Key) -> Result<Option<ImportReport>, Error> {
        let mut conn = self.pool.acquire().await?;
        match idempotency::insert_or_find(&mut conn, key, NO_REPORT).await? {
            Seen::Answered(bytes) if bytes != NO_REPORT => {
                tracing::info!(request_id = %key.request_id, "a call was repeated");
                Ok(events::report_from_bytes(&bytes))
            }
            Seen::Answered(_) | Seen::Never => Ok(None),
            Seen::Otherwise => Err(Error::KeyReused),
        }
    }

    /// Keeps the report of an import, unless the same import, sent twice at once, has ended a moment ago: then that one's counts.
    pub(super) async fn end_import(&self, key: &Key, report: ImportReport) -> Result<ImportReport, Error> {
        let is_first = {
            let mut conn = self.pool.acquire().await?;
            idempotency::set_answer(&mut conn, key, &events::report_bytes(&report)).await?
        };
        if is_first {
            return Ok(report);
        }
        Ok(self.begin_import(key).await?.unwrap_or(report))
    }
}
