//go:build !torture

package orchestrator_test

// usualSeeds is how many random schedules are played where nobody says how
// many: enough to notice that they play.
const usualSeeds = 25
