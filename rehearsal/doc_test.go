//go:build rehearsal

// Package rehearsal_test rehearses a deployment on one machine: the function as
// it is built, with the settings that the packaged template gives it, among
// doubles of what stands around it in AWS. DRS, EC2 and STS are the simulator,
// DynamoDB is AWS's own DynamoDB Local; Lambda, Step Functions, EventBridge and
// SNS are small and here, one file each. Every one of them takes what it does
// from the template: aliases and who may call them, the definition, the table's
// keys, the stream's filter, the rule.
package rehearsal_test
