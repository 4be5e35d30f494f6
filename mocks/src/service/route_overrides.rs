//! Overrides for all routes of a service, or for single routes.
//!
//! Without overrides a lookup takes one atomic load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Overrides of one kind; those of a route take precedence over those of all routes.
#[derive(Debug)]
pub(super) struct RouteOverrides<T> {
    is_active: AtomicBool,
    active: RwLock<ActiveOverrides<T>>,
}

/// The overrides in force.
#[derive(Clone, Debug)]
pub(super) struct ActiveOverrides<T> {
    pub(super) all_routes: Option<T>,
    /// Route index and setting; few, so searched linearly.
    pub(super) by_route: Vec<(usize, T)>,
}

impl<T: Clone> RouteOverrides<T> {
    /// The override for the route at `index`, if any.
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

    /// Sets the override of one route, or without `index` of all routes; `None` removes it.
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

    /// Removes all overrides.
    pub(super) fn clear(&self) {
        let mut overrides = self.write();
        *overrides = ActiveOverrides::default();
        self.is_active.store(false, Ordering::Release);
    }

    /// A copy of the overrides in force.
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
