// Package planfile reads what people write about plans: YAML, strict, in the
// contract's own spellings. For now that is the protection groups of a plan
// file, or of a file of their own:
//
//	version: 1
//	groups:
//	  pg-database:
//	    servers: [s-0123456789abcdef0]
//	    launchConfig: {instanceType: t3.medium, subnet: subnet-0123456789abcdef0}
//	    overrides:
//	      s-0123456789abcdef0: {instanceType: r5.xlarge}
//
// An error names every problem of a file, each with its line and column.
package planfile
