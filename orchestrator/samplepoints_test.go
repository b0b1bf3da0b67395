//go:build !everypoint

package orchestrator_test

// everyPoint: most stories are disturbed at a sample of their points.
const everyPoint = false
