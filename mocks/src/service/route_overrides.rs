//! What is switched for all routes of a service, or for one of them.
//!
//! Asking takes one load as long as nothing is switched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Switches of one kind; those of a route win over those of all.
#[derive(Debug)]
pub(super) struct RouteOverrides<T> {
    is_active: AtomicBool,
    active: RwLock<ActiveOverrides<T>>,
}

/// What is switched on.
#[derive(Clone, Debug)]
pub(super) struct ActiveOverrides<T> {
    pub(super) all_routes: Option<T>,
    /// Route index and setting; few at any time.
    pub(super) by_route: Vec<(usize, T)>,
}

impl<T: Clone> RouteOverrides<T> {
    /// What holds for the route at `index`.
    pub(super) fn for_route(&self, index: usize) -> Option<T> {
        if !self.is_active.load(Ordering::Acquire) {
            return None;
        }
        let overrides = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let own = overrides
            .by_route
            .iter()
            .find(|(route, _)| *route == index)
            .map(|(_, own)| own);
        own.or(overrides.all_routes.as_ref()).cloned()
    }

    /// Switches one route, or all of them; `None` switches off again.
    pub(super) fn set(&self, index: Option<usize>, setting: Option<T>) {
        let mut overrides = self.write();
        match index {
            None => overrides.all_routes = setting,
            Some(index) => {
                overrides.by_route.retain(|(route, _)| *route != index);
                let setting = setting.map(|setting| (index, setting));
                overrides.by_route.extend(setting);
            }
        }
        let any = overrides.all_routes.is_some() || !overrides.by_route.is_empty();
        self.is_active.store(any, Ordering::Release);
    }

    /// Switches everything off.
    pub(super) fn clear(&self) {
        let mut overrides = self.write();
        *overrides = ActiveOverrides::default();
        self.is_active.store(false, Ordering::Release);
    }

    /// What is switched on at this moment.
    pub(super) fn active(&self) -> ActiveOverrides<T> {
        let overrides = self.active.read().unwrap_or_else(PoisonError::into_inner);
        overrides.clone()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, ActiveOverrides<T>> {
        self.active.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for RouteOverrides<T> {
    fn default() -> Self {
        Self {
            is_active: AtomicBool::new(false),
            active: RwLock::new(ActiveOverrides::default()),
        }
    }
}

impl<T> Default for ActiveOverrides<T> {
    fn default() -> Self {
        Self {
            all_routes: None,
            by_route: Vec::new(),
        }
    }
}
