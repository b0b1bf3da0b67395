// Package stepfunctions is a pretend AWS Step Functions, for tests: it walks a
// state machine in one process, from the very definition that is deployed.
//
// It knows as much of the Amazon States Language (with JSONPath) as the
// definitions in deploy use: Task, Choice, Wait, Pass, Succeed, Fail, and of
// these the fields that the types of this package have. Load refuses every
// other field and type, so that a definition that loads does here what it does
// in AWS. Whether it is written as the language demands in every other respect
// is for validators of the language to say.
//
// What passes through it unchanged stays as it is, byte for byte: the
// spelling of numbers, the order of keys, white space.
//
// It knows states, and nothing of what they are about.
package stepfunctions
