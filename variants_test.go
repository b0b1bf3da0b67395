//go:build broken

package muster_test

// The proofs.
var (
	startProof = proof{"orchestrator", "", "TestDisturbedAtAnyCallAWaveHasOneJobAndItsIDIsKnown"}
)

var variants = []variant{
	{"the SDK's retries are on for StartRecovery", "awsdrs/call.go", []string{
		"	case op.once:\n		return 0, false\n", "",
	}, startProof},
	{"StartRecovery is called before the claim is marked SENT", "orchestrator/send.go", []string{
		"	now := c.o.now()\n	until := now.Add(recovery.SendTimeout)\n",
		"	now := c.o.now()\n	until := now.Add(recovery.SendTimeout)\n" +
			"	job, sendErr := region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	return region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	return job, sendErr\n",
	}, startProof},
	{"a job is adopted without a look at its tags", "recovery/job.go", []string{
		"		return sameTags(j.Tags, want)\n", "		return true\n",
	}, startProof},
	{"a claim is written without its condition", "sqlite/commit.go", []string{
		"WHERE id = ?1 AND version = ?6", "WHERE id = ?1",
		"INSERT INTO events", "INSERT OR REPLACE INTO events",
	}, startProof},
	{"there is no grace after the deadline of the sending", "recovery/attempt.go", []string{
		"	Grace         = ClockSkew + JobVisibility", "	Grace         = 0 * time.Second",
	}, startProof},
}
