package simulator

import (
	"slices"
	"strings"
)

// drsOperation is what the simulator does for an operation of DRS.
type drsOperation struct {
	handle  func(*handling, map[string]any) (any, *apiError)
	mutates bool
	// withoutInit marks the calls that work where DRS was never initialized.
	withoutInit bool
}

var drsOperations = map[string]drsOperation{
	"StartRecovery":              {handle: (*handling).startRecovery, mutates: true},
	"DescribeJobs":               {handle: (*handling).describeJobs},
	"DescribeJobLogItems":        {handle: (*handling).describeJobLogItems},
	"DescribeSourceServers":      {handle: (*handling).describeSourceServers},
	"DescribeRecoverySnapshots":  {handle: (*handling).describeRecoverySnapshots},
	"DescribeRecoveryInstances":  {handle: (*handling).describeRecoveryInstances},
	"GetLaunchConfiguration":     {handle: (*handling).getLaunchConfiguration},
	"UpdateLaunchConfiguration":  {handle: (*handling).updateLaunchConfiguration, mutates: true},
	"TerminateRecoveryInstances": {handle: (*handling).terminateRecoveryInstances, mutates: true},
	"TagResource":                {handle: (*handling).tagResource, mutates: true, withoutInit: true},
	"UntagResource":              {handle: (*handling).untagResource, mutates: true, withoutInit: true},
	"ListTagsForResource":        {handle: (*handling).listTagsForResource, withoutInit: true},
	"InitializeService":          {handle: (*handling).initializeService, mutates: true, withoutInit: true},
	"ListStagingAccounts":        {handle: (*handling).listStagingAccounts},
}

// stsActions are STS's, and whether they change anything.
var stsActions = map[string]bool{"AssumeRole": true, "GetCallerIdentity": false}

// knows says whether a service has an operation here.
func knows(service, operation string) bool { return slices.Contains(actionsOf(service), operation) }

// mutates says whether an operation changes the world when it succeeds.
func mutates(service, operation string) bool {
	switch service {
	case serviceDRS:
		return drsOperations[operation].mutates
	case serviceSTS:
		return stsActions[operation]
	}
	return ec2Actions[operation].mutates
}

// actionsOf lists a service's operations, sorted.
func actionsOf(service string) []string {
	switch service {
	case serviceDRS:
		return drsNames
	case serviceSTS:
		return stsNames
	}
	return ec2Names
}

var (
	drsNames = []string{
		"DescribeJobLogItems", "DescribeJobs", "DescribeRecoveryInstances", "DescribeRecoverySnapshots", "DescribeSourceServers",
		"GetLaunchConfiguration", "InitializeService", "ListStagingAccounts", "ListTagsForResource", "StartRecovery", "TagResource",
		"TerminateRecoveryInstances", "UntagResource", "UpdateLaunchConfiguration",
	}
	ec2Names = sortedKeys(ec2Actions)
	stsNames = []string{"AssumeRole", "GetCallerIdentity"}
)

// allOperations lists the operations of all services.
func allOperations() []string {
	return slices.Concat(actionsOf(serviceDRS), actionsOf(serviceEC2), actionsOf(serviceSTS))
}

func knownOperation(name string) bool { return slices.Contains(allOperations(), name) }

func wordList(words []string) string { return strings.Join(words, ", ") }
