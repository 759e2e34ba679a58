//! Counting attempts before anything else is done for them.

use kontor_postgres::retry;

use super::{Auth, Error};
use crate::domain::throttle::Bucket;
use crate::store;

impl Auth {
    /// Takes one from each of the buckets, in this order. The first empty one refuses the attempt.
    pub(super) async fn admit(&self, buckets: &[Bucket]) -> Result<(), Error> {
        for bucket in buckets {
            retry("throttle", || self.take(bucket)).await?;
        }
        Ok(())
    }

    /// In a transaction of its own: what comes of the attempt does not undo it.
    async fn take(&self, bucket: &Bucket) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        match store::throttles::take(&mut conn, bucket).await? {
            None => Ok(()),
            Some(wait) => Err(Error::Throttled(wait)),
        }
    }
}
