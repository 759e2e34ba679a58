//! Throttling of attempts.

use kontor_postgres::retry;

use super::{Auth, Error};
use crate::domain::throttle::Bucket;
use crate::store;

impl Auth {
    /// Takes one attempt from each of the buckets, in this order. The first empty one refuses the attempt.
    pub(super) async fn admit(&self, buckets: &[Bucket]) -> Result<(), Error> {
        for bucket in buckets {
            retry("admit", || self.take_from_bucket(bucket)).await?;
        }
        Ok(())
    }

    /// A transaction of its own, so that the attempt counts whatever follows.
    async fn take_from_bucket(&self, bucket: &Bucket) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        match store::throttles::take(&mut conn, bucket).await? {
            None => Ok(()),
            Some(wait) => Err(Error::Throttled(wait)),
        }
    }
}
