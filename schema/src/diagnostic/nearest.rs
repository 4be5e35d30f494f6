//! "Did you mean": the known name that is closest to a misspelt one.

/// The candidate closest to `written`, when it is close enough to be what was meant.
///
/// Close enough is one change for each three characters, at least one; ties go to the first.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance without regard to case, so that `baseUrl` finds `baseURL`.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let substitute = previous[column] + usize::from(from != to);
            current.push(
                substitute
                    .min(previous[column + 1] + 1)
                    .min(current[column] + 1),
            );
        }
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_slip_finds_its_name_and_a_different_word_does_not() {
        let names = ["id", "name", "baseURL", "queryParams"];

        assert_eq!(nearest("nam", names), Some("name"));
        assert_eq!(nearest("baseUrl", names), Some("baseURL"));
        assert_eq!(nearest("queryparam", names), Some("queryParams"));
        assert_eq!(nearest("timeout", names), None);
    }
}
