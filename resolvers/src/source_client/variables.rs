//! The variables of templates and mappings, and small sets of them.
//!
//! Which variables a connector uses is collected once; during execution only values that are used
//! are computed.

/// A variable that templates and mappings of a connector can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    Args,
    This,
    Batch,
    Config,
    Env,
    Context,
    Request,
    Response,
    Status,
}

impl Variable {
    /// The variable called `name`, without the dollar sign; `None` for an unknown one.
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "args" => Self::Args,
            "this" => Self::This,
            "batch" => Self::Batch,
            "config" => Self::Config,
            "env" => Self::Env,
            "context" => Self::Context,
            "request" => Self::Request,
            "response" => Self::Response,
            "status" => Self::Status,
            _ => return None,
        })
    }
}

/// A set of variables, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VariableSet(u16);

impl VariableSet {
    /// The variables called `names`; unknown names are ignored.
    pub(crate) fn from_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let variables = names.into_iter().filter_map(Variable::from_name);
        Self(variables.fold(0, |bits, variable| bits | Self::bit(variable)))
    }

    /// Whether `variable` is in the set.
    pub(crate) fn contains(self, variable: Variable) -> bool {
        self.0 & Self::bit(variable) != 0
    }

    fn bit(variable: Variable) -> u16 {
        1 << variable as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_contains_the_named_variables_only() {
        let set = VariableSet::from_names(["args", "status", "unknown"]);

        assert!(set.contains(Variable::Args));
        assert!(set.contains(Variable::Status));
        assert!(!set.contains(Variable::This));
        assert_eq!(VariableSet::from_names(["unknown"]), VariableSet::default());
    }
}
