//go:build torture

package orchestrator_test

// usualSeeds is how many random schedules it takes to notice what is broken on
// purpose.
const usualSeeds = 1500
