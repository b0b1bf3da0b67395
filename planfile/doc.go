// Package planfile reads what people write about plans: YAML, strict, in the
// contract's own spellings. A plan file says which waves there are, in which
// order they are recovered, where, and with which settings; its protection
// groups may be in a file of their own. docs/plans.md describes it all:
//
//	version: 1
//	plan: {id: rp-shop, name: Web shop}
//	accountContext: {accountId: "123456789012", region: us-west-2, roleName: DRSOrchestrationRole}
//	waves:
//	  - {waveNumber: 1, waveName: Database Tier, protectionGroupId: pg-database}
//	  - {waveNumber: 2, waveName: Application Tier, protectionGroupId: pg-app, pauseBeforeWave: true}
//	groups:
//	  pg-database:
//	    servers: [s-0123456789abcdef0]
//	    launchConfig: {instanceType: t3.medium, subnet: subnet-0123456789abcdef0}
//	  pg-app:
//	    tags: {Tier: app}
//
// A file is made the JSON document that it stands for, which package event
// reads; what that finds gets its line and column here. An error names every
// problem of a file.
package planfile
