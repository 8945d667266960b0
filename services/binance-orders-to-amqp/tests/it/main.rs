//! What ingestors keep. Ingestors at work are tested with the programme, against an exchange and a broker.

mod spool;
