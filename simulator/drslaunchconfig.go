package simulator

import "time"

func (h *handling) getLaunchConfiguration(in map[string]any) (any, *apiError) {
	s := h.servers[stringAt(in, "sourceServerID")]
	if s == nil {
		return nil, notFound("SourceServer", stringAt(in, "sourceServerID"))
	}
	return h.showLaunchConfiguration(s), nil
}

func (h *handling) showLaunchConfiguration(s *server) map[string]any {
	l := s.settings
	return map[string]any{
		"sourceServerID":                      s.ID,
		"name":                                l.Name,
		"ec2LaunchTemplateID":                 s.template,
		"launchDisposition":                   l.LaunchDisposition,
		"targetInstanceTypeRightSizingMethod": l.RightSizing,
		"copyPrivateIp":                       l.CopyPrivateIP,
		"copyTags":                            l.CopyTags,
		"licensing":                           map[string]any{"osByol": l.Licensing.OSBYOL},
		"postLaunchEnabled":                   l.PostLaunch,
	}
}

// updateLaunchConfiguration changes what is given and leaves the rest. DRS then
// writes a launch template version of its own, with the caller's permissions
// and at the caller's rate, and makes it the default.
func (h *handling) updateLaunchConfiguration(in map[string]any) (any, *apiError) {
	s := h.servers[stringAt(in, "sourceServerID")]
	if s == nil {
		return nil, notFound("SourceServer", stringAt(in, "sourceServerID"))
	}
	if in["launchIntoInstanceProperties"] != nil {
		return nil, invalid("The simulator does not implement launchIntoInstanceProperties.")
	}
	if !h.replaying {
		for _, action := range []string{"ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"} {
			if h.w.denied(h.caller, action) {
				e := accessDenied(h.caller, action, "arn:aws:ec2:"+h.at.region+":"+h.at.account+":launch-template/"+s.template)
				e.Code = "AccessDeniedException"
				return nil, e
			}
		}
		if s.running != nil {
			return nil, conflict(busy)
		}
	}
	if ok, wait := h.draw(serviceEC2, "CreateLaunchTemplateVersion"); !ok && !h.replaying {
		return nil, throttled(serviceDRS, wait, "Rate exceeded: CreateLaunchTemplateVersion")
	}
	l := &s.settings
	if v, ok := in["name"].(string); ok {
		l.Name = v
	}
	if v, ok := in["launchDisposition"].(string); ok {
		l.LaunchDisposition = v
	}
	if v, ok := in["targetInstanceTypeRightSizingMethod"].(string); ok {
		l.RightSizing = v
	}
	if v, ok := boolAt(in, "copyPrivateIp"); ok {
		l.CopyPrivateIP = v
	}
	if v, ok := boolAt(in, "copyTags"); ok {
		l.CopyTags = v
	}
	if v, ok := boolAt(objectAt(in, "licensing"), "osByol"); ok {
		l.Licensing.OSBYOL = v
	}
	if v, ok := boolAt(in, "postLaunchEnabled"); ok {
		l.PostLaunch = v
	}
	h.touch(s.template)
	if f, ok := h.oracle.server(LateTemplateVersion, s.ID); ok {
		h.schedule(h.now.Add(time.Duration(f.Duration)), func(at time.Time) { h.writeTemplate(s, at) })
	} else {
		h.writeTemplate(s, h.now)
	}
	return h.showLaunchConfiguration(s), nil
}
