//! "Did you mean": the candidate name closest to a misspelt one.

/// The candidate closest to `name`, within one change per three characters, at least one.
///
/// Ties go to the first candidate.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The edit distance: insertions, deletions, substitutions and swaps of neighbours. Ignores case,
/// so that `baseUrl` finds `baseURL`.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let other = left[row - 1] != right[column - 1];
            let mut least = (rows[row - 1][column - 1] + usize::from(other))
                .min(rows[row - 1][column] + 1)
                .min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                least = least.min(rows[row - 2][column - 2] + 1);
            }
            current.push(least);
        }
        rows.push(current);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_matched_and_an_unrelated_one_is_not() {
        let names = ["id", "name", "baseURL", "queryParams"];

        assert_eq!(nearest("nam", names), Some("name"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("baseUrl", names), Some("baseURL"));
        assert_eq!(nearest("queryparam", names), Some("queryParams"));
        assert_eq!(nearest("timeout", names), None);
    }
}
