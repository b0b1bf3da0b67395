// Package recovery is the language Muster speaks: executions, waves, servers,
// launch configurations, jobs, and the rules about them.
//
// Everything here is pure. A rule takes what was read and the time, and
// answers; who reads, writes and waits is the orchestrator's business, and how
// that is done in one technology is the business of the room named after it.
package recovery
