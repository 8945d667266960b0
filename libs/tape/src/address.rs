//! Where a tape lies, shown to people.

/// A URL as it may stand in messages: without user, password and parameters. Whatever might be a
/// secret goes, also where the URL is no good one.
pub(crate) fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else { return url.to_owned() };
    if matches!(scheme, "sqlite" | "memory") {
        return url.to_owned();
    }
    let (hidden, shown) = match rest.rsplit_once('@') {
        Some((_, place)) => ("…@", place),
        None => ("", rest.trim_start_matches('/')),
    };
    let shown = shown.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{hidden}{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for (url, shown) in [
            ("postgres://me:secret@host:5432/db", "postgres://…@host:5432/db"),
            ("postgres://me:s?e@c/ret@host/db?password=secret", "postgres://…@host/db"),
            ("postgres://host/db?password=secret", "postgres://host/db"),
            ("postgers:me:secret@host", "postgers://…@host"),
            ("sqlite:a@b?c.db", "sqlite:a@b?c.db"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
