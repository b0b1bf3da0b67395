package recovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What is probably a slip, and may be right: AWS has more tomorrow than a
// program knows today. A Doubt is told where a plan is checked, and stops
// nothing.

// regions are those that DRS is known in.
var regions = strings.Fields(`af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
	ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2
	eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1
	us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2`)

// Doubt says why a region's name that passes Check is probably a slip, or "".
func (r RegionName) Doubt() string {
	if slices.Contains(regions, string(r)) {
		return ""
	}
	return Quote(string(r)) + " is not a region that DRS is known in" + didYouMean(string(r), regions)
}

var (
	serverID   = regexp.MustCompile(`^s-[0-9a-f]{17}$`)
	serverLike = regexp.MustCompile(`^s-[0-9a-zA-Z]{12,24}$`)
)

// Doubt says why a server's id that passes Check is probably a slip, or "".
func (id SourceServerID) Doubt() string {
	if serverID.MatchString(string(id)) || !serverLike.MatchString(string(id)) { // short ones are of rehearsals
		return ""
	}
	if digits := string(id[2:]); len(digits) != 17 {
		return fmt.Sprintf("%s has %d characters behind s-, and the ids of DRS have 17", id, len(digits))
	}
	return fmt.Sprintf("%s is not of 17 digits 0 to 9 and a to f, as the ids of DRS are", id)
}

var (
	instanceFamily = regexp.MustCompile(`^[a-z]{1,4}[0-9]*[a-z0-9-]*$`)
	instanceSizes  = strings.Fields("nano micro small medium large xlarge metal 2xlarge 3xlarge 4xlarge 6xlarge 8xlarge 9xlarge 10xlarge 12xlarge 16xlarge 18xlarge 24xlarge 32xlarge 48xlarge 56xlarge 96xlarge 112xlarge metal-16xl metal-24xl metal-32xl metal-48xl metal-96xl")
	instanceSize   = regexp.MustCompile(`^(nano|micro|small|medium|large|xlarge|[1-9][0-9]{0,2}xlarge|metal(-[1-9][0-9]{0,2}xl)?)$`)
)

// Doubt says why a value of the setting that Set accepts is probably a slip,
// or "".
func (s Setting) Doubt(value any) string {
	instanceType, _ := value.(string)
	family, size, _ := strings.Cut(instanceType, ".")
	if s != InstanceType || instanceSize.MatchString(size) && instanceFamily.MatchString(family) {
		return ""
	}
	near := didYouMean(size, instanceSizes)
	return Quote(instanceType) + " is not an instance type of a size that EC2 is known to have" + strings.Replace(near, "mean ", "mean "+family+".", 1)
}

// didYouMean names what is nearest to a word, if anything is near.
func didYouMean(word string, known []string) string {
	best, least := "", 3 // more than two slips are another word
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is how many letters have to be added, left out or changed, or
// exchanged with the next one, to make b of a.
func distance(a, b string) int {
	var before, last []int
	for i := range len(a) + 1 {
		row := make([]int, len(b)+1)
		for j := range row {
			switch {
			case i == 0 || j == 0:
				row[j] = i + j
				continue
			case a[i-1] == b[j-1]:
				row[j] = last[j-1]
			default:
				row[j] = 1 + min(last[j-1], last[j], row[j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
