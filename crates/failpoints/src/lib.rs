//! Failpoints, for the fault test alone.
//!
//! A failpoint is a place at the boundary of a step where a process may die or pause. It is compiled to nothing unless the feature
//! `enabled` is on, which no shipped binary has; then the environment says what happens:
//!
//! | variable | example | meaning |
//! |---|---|---|
//! | `KONTOR_FAILPOINTS` | `seed=7,kill=0.002,pause=0.004,pause_ms=3500,only=order.` | with what probability a passing of any failpoint (whose name begins with `only`) kills or pauses; several such, with `;` between them |

#[cfg(feature = "enabled")]
mod armed;

/// Where in a step a failpoint lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Before,
    /// Inside the transaction, before its commit.
    Inside,
    /// After the commit, before the reply; or after a call's effect, before its answer is acted on.
    After,
}

/// Passes a failpoint: the step's name is the service's and its own, such as `catalog.reserve`.
#[cfg(feature = "enabled")]
pub async fn pass(step: &'static str, at: At) {
    armed::pass(step, at).await;
}

/// Passes a failpoint: the step's name is the service's and its own, such as `catalog.reserve`. Here, nothing happens.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
pub async fn pass(_step: &'static str, _at: At) {}
