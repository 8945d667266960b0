//! Listens for what any process commits, and looks for itself every second: a notification is a hint.

use super::{
    readers::Readers,
    session::{ANSWER, CONNECTING, Server},
    writer::announce,
};
use crate::Position;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

const CHANNEL: &str = "tapedeck";

/// How often the head is read whatever is heard: so long a lost notification stays unnoticed.
const LOOK: Duration = Duration::from_secs(1);

/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_millis(250);

const HEAD: &str = "SELECT position FROM tapedeck.head";

/// Never ends; ending it at any moment does no harm.
pub(super) async fn listen(server: Server, readers: Readers, committed: Arc<watch::Sender<Position>>) {
    loop {
        // Whatever the trouble is: whoever asks for something is told, here it is only tried again.
        let _ = session(&server, &readers, &committed).await;
        readers.tidy();
        sleep(PAUSE).await;
    }
}

/// Returns once the connection is no good any more.
async fn session(
    server: &Server,
    readers: &Readers,
    committed: &watch::Sender<Position>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECTING);
    let pool = pool.connect_lazy_with(server.options());
    let mut listener = timeout(CONNECTING, PgListener::connect_with(&pool)).await??;
    // It would connect without a limit, and hide that something was missed.
    listener.eager_reconnect(false);
    timeout(ANSWER, listener.listen(CHANNEL)).await??;
    loop {
        let head = sqlx::query_scalar::<_, i64>(HEAD).fetch_one(&mut listener);
        let head = timeout(ANSWER, head).await??;
        announce(committed, Position::try_from(head).unwrap_or_default());
        readers.tidy();
        let until = Instant::now() + LOOK;
        while let Ok(heard) = timeout_at(until, listener.try_recv()).await {
            let Some(note) = heard? else { return Ok(()) };
            announce(committed, note.payload().parse().unwrap_or_default());
        }
    }
}
