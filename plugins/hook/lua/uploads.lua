-- Refuses programs by their names, whichever way they come.
local programs = {exe = true, msi = true, bat = true, scr = true}

function on_key(request, object)
  local extension = request.key:lower():match("%.(%w+)$")
  if programs[extension] and request.operation ~= "delete" then
    return request:deny(403, "Programs aren't taken here")
  end
end
