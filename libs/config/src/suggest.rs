//! "Did you mean …?"

use strsim::levenshtein as distance;

/// The known name nearest to the unknown one, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (unknown.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(unknown, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_wild_guess_is_not() {
        let known = ["stop", "slippage", "max_age"];
        assert_eq!(nearest("slipage", known), Some("slippage"));
        assert_eq!(nearest("maxage", known), Some("max_age"));
        assert_eq!(nearest("stpo", known), None, "two of four characters are too many");
        assert_eq!(nearest("leverage", known), None);
    }

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
