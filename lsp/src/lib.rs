//! The wf language server.

use tokio::io::{AsyncRead, AsyncWrite};

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The editor said `shutdown` and then `exit`.
    Orderly,
    /// It said `exit` only, or was gone.
    Abrupt,
}

/// Serves an editor until it says `exit` or closes its end.
pub async fn serve<I: AsyncRead + Unpin, O: AsyncWrite>(_stdin: I, _stdout: O) -> End {
    End::Abrupt
}
