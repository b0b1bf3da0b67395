package simulator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Both calls that read templates have pages of 1 to 200 (EC2 API reference).
const templatesPerPage = 200

func (t *launchTemplate) answer() map[string]any {
	return map[string]any{
		"launchTemplateId":     t.ID,
		"launchTemplateName":   t.Name,
		"createTime":           t.CreateTime,
		"createdBy":            t.CreatedBy,
		"defaultVersionNumber": t.DefaultVersion,
		"latestVersionNumber":  t.latest(),
		"tagSet":               tagSet(t.Tags),
	}
}

func (t *launchTemplate) versionAnswer(v *templateVersion) map[string]any {
	m := map[string]any{
		"launchTemplateId":   t.ID,
		"launchTemplateName": t.Name,
		"versionNumber":      v.Number,
		"createTime":         v.CreateTime,
		"createdBy":          v.CreatedBy,
		"defaultVersion":     v.Number == t.DefaultVersion,
		"launchTemplateData": v.Data.answer(),
	}
	if v.Description != "" {
		m["versionDescription"] = v.Description
	}
	return m
}

// warning is what EC2 sends beside a version that it accepted but that would not launch; nil where all is well.
func (s *ec2State) warning(d *templateData) any {
	var errors []any
	warn := func(code, message string) {
		errors = append(errors, map[string]any{"code": code, "message": message})
	}
	if id := d.Subnet(); id != "" && s.subnets[id] == nil {
		warn("InvalidSubnetID.NotFound", fmt.Sprintf("The subnet ID '%s' does not exist", id))
	}
	for _, id := range d.SecurityGroups() {
		if s.groups[id] == nil {
			warn("InvalidGroup.NotFound", fmt.Sprintf("The security group '%s' does not exist", id))
		}
	}
	if errors == nil {
		return nil
	}
	return map[string]any{"errorSet": errors}
}

func (s *ec2State) describeLaunchTemplates(c *ec2Call) (map[string]any, *apiError) {
	ids, names, filters := c.list("LaunchTemplateId"), c.list("LaunchTemplateName"), c.filters()
	c.boolean("IncludeManagedResources")
	if len(ids) > templatesPerPage || len(names) > templatesPerPage {
		c.fail("InvalidParameterValue", "At most %d launch templates may be named in a request", templatesPerPage)
	}
	wanted := make(map[string]bool)
	for _, id := range ids {
		if t := s.templateByID(c, id); t != nil {
			wanted[t.ID] = true
		}
	}
	for _, name := range names {
		if t := s.templateByName(c, name); t != nil {
			wanted[t.ID] = true
		}
	}
	var found []*launchTemplate
	for _, id := range sortedKeys(s.templates) {
		t := s.templates[id]
		if len(ids)+len(names) == 0 || wanted[id] {
			found = append(found, t)
		}
	}
	page, next, err := ec2List[*launchTemplate]{
		key: func(t *launchTemplate) string { return t.ID }, least: 1, most: templatesPerPage,
		tags: func(t *launchTemplate) map[string]string { return t.Tags },
		attributes: func(t *launchTemplate) map[string][]string {
			return map[string][]string{"launch-template-name": {t.Name}, "create-time": {t.CreateTime.UTC().Format(queryTime)}}
		},
	}.page(c, filters, found)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(page))
	for i, t := range page {
		list[i] = t.answer()
	}
	return map[string]any{"launchTemplates": list, "nextToken": next}, nil
}

// versionOf is a version and the template that it is of.
type versionOf struct {
	template *launchTemplate
	version  *templateVersion
}

// key sorts versions as EC2 lists them: the newest first, template by template.
func (v versionOf) key() string {
	return fmt.Sprintf("%s %019d", v.template.ID, math.MaxInt64-v.version.Number)
}

func (s *ec2State) describeLaunchTemplateVersions(c *ec2Call) (map[string]any, *apiError) {
	filters := c.filters()
	wanted := c.list("LaunchTemplateVersion")
	lo, hi := c.bound("MinVersion", 1), c.bound("MaxVersion", math.MaxInt64)
	c.boolean("IncludeManagedResources")
	c.boolean("ResolveAlias")
	ranged := c.has("MinVersion") || c.has("MaxVersion")
	if ranged && len(wanted) > 0 {
		c.fail("InvalidParameterCombination", "Versions cannot be given together with MinVersion or MaxVersion")
	}
	var found []versionOf
	if c.has("LaunchTemplateId") || c.has("LaunchTemplateName") {
		if t := s.findTemplate(c); t != nil {
			found = t.describe(c, wanted, lo, hi)
		}
	} else {
		if len(wanted) == 0 || ranged || slices.ContainsFunc(wanted, func(v string) bool { return v != "$Latest" && v != "$Default" }) {
			c.fail("InvalidParameterCombination", "When neither a launch template ID nor a launch template name is specified, only the versions '$Latest' and '$Default' may be described")
		} else {
			for _, id := range sortedKeys(s.templates) {
				found = append(found, s.templates[id].describe(c, wanted, lo, hi)...)
			}
		}
	}
	page, next, err := ec2List[versionOf]{
		key: versionOf.key, least: 1, most: templatesPerPage,
		tags:       func(versionOf) map[string]string { return nil },
		attributes: versionOf.attributes,
	}.page(c, filters, found)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(page))
	for i, v := range page {
		list[i] = v.template.versionAnswer(v.version)
	}
	return map[string]any{"launchTemplateVersionSet": list, "nextToken": next}, nil
}

// describe gives the versions asked for, each once, and all between lo and hi where none is.
func (t *launchTemplate) describe(c *ec2Call, wanted []string, lo, hi int64) []versionOf {
	var found []versionOf
	for _, text := range wanted {
		v := t.findVersion(c, "LaunchTemplateVersion", text)
		if v != nil && !slices.Contains(found, versionOf{t, v}) {
			found = append(found, versionOf{t, v})
		}
	}
	if len(wanted) > 0 {
		return found
	}
	for _, v := range t.Versions {
		if v.Number >= lo && v.Number <= hi {
			found = append(found, versionOf{t, v})
		}
	}
	return found
}

// bound reads MinVersion or MaxVersion. Both are taken to be inclusive; EC2's reference leaves it open for the first.
func (c *ec2Call) bound(name string, otherwise int64) int64 {
	if n, given := c.integer(name); given {
		return n
	}
	return otherwise
}

// attributes are what DescribeLaunchTemplateVersions filters by.
func (v versionOf) attributes() map[string][]string {
	fields := v.version.Data.fields
	metadata, _ := child(fields, "MetadataOptions")
	return map[string][]string{
		"create-time":          {v.version.CreateTime.UTC().Format(queryTime)},
		"is-default-version":   {strconv.FormatBool(v.version.Number == v.template.DefaultVersion)},
		"instance-type":        {leaf(fields, "InstanceType")},
		"image-id":             {leaf(fields, "ImageId")},
		"ebs-optimized":        {leaf(fields, "EbsOptimized")},
		"iam-instance-profile": {v.version.Data.InstanceProfile()},
		"http-tokens":          {leaf(metadata, "HttpTokens")},
		"http-endpoint":        {leaf(metadata, "HttpEndpoint")},
	}
}
