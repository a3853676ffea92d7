print(tonumber(arg[1]))
