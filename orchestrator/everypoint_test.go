//go:build everypoint

package orchestrator_test

// everyPoint has every story disturbed at all its points, which takes minutes.
const everyPoint = true
