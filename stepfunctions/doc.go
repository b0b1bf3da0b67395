// Package stepfunctions is a pretend AWS Step Functions, for tests: it walks a
// state machine in one process, from the very definition that is deployed.
//
// It interprets the part of the Amazon States Language (with JSONPath) that
// is about one thing after another: Task, Choice, Wait, Pass, Succeed, Fail.
// It is strict: Load refuses whatever it does not know, and names every place
// in the definition, so that a definition that loads does here what it does
// in AWS. Parallel, Map, JSONata, variables, intrinsic functions and paths
// that select several values are not known to it.
//
// What passes through it unchanged stays as it is, byte for byte: the
// spelling of numbers, the order of keys, white space.
//
// It knows states, and nothing of what they are about.
package stepfunctions
